"""The library behind the rules: plain arrays in, plain arrays out; it knows neither Snakemake nor the layout."""
