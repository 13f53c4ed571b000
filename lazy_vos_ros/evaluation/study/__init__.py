"""Does the uncertainty tell when the mask is wrong? Fig. 3 and Fig. S5 of the paper."""
