"""The law of the collapse: fitted on the run of `fates`, judged on `fates_unseen`, beside what knows no mechanism."""
