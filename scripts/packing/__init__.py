"""Build the Debian packages: the wheel, what a release lacks, and the files of packaging/."""
