"""Files of ours: one atomic writer and one reader, and what is done with damaged ones."""
