"""Problems with a known fault, and their healthy twins, to judge the diagnosis by.

    python -m benchmarks.diagnosis --family NAME --seed 7          one run and its diagnosis, for development
    python -m benchmarks.diagnosis --truth [--seeds 3]             is each fault one? broken against mended, no judge
    python -m benchmarks.diagnosis --runs 36 --first 10000 --csv docs/diagnosis.csv

Seeds below 1000 are for development; the thresholds were frozen before any run with a seed of 10,000 or more.
"""
