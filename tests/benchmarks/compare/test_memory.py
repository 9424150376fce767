"""What processes need together, and how much configuration says something."""

from benchmarks.compare.memory import config_lines, together

MAPS = """\
55d0-55d4 r-xp 00000000 fe:00 1234                       /usr/sbin/thing
Size:                 16 kB
Rss:                  {code} kB
Pss:                   4 kB
Anonymous:             0 kB
55d4-55d5 rw-p 00004000 fe:00 1234                       /usr/sbin/thing
Rss:                   8 kB
Anonymous:             4 kB
7f00-7f10 rw-p 00000000 00:00 0                          [heap]
Rss:                  {heap} kB
Anonymous:            {heap} kB
"""


def test_a_file_counts_once_and_what_is_a_processs_own_for_each():
    one, two = MAPS.format(code=16, heap=100), MAPS.format(code=12, heap=50)
    assert together([one]) == (16 + 8 + 100) * 1024
    assert together([one, two]) == (16 + 4 + 4 + 4 + 100 + 50) * 1024
    assert together([]) == 0


def test_comments_and_empty_lines_say_nothing():
    assert config_lines("# a\n! b\n\n  \n [pair]\n  # c\nkey = 1\n") == 2
