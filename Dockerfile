# Everything that a run needs; without arguments the container runs the demo.
#   docker build --tag syngeno .
#   docker run --volume "$PWD/results:/syngeno/results" syngeno
#   docker run --volume "$PWD:/data" --workdir /data syngeno snakemake --snakefile /syngeno/Snakefile \
#     --profile /syngeno/workflow/profiles/local --configfile mine.yaml
FROM python:3.11-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends beagle bcftools git make plink2 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /syngeno
COPY requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .
CMD ["snakemake", "--profile", "workflow/profiles/local", "--cores", "2", "--max-threads", "1", \
     "--report", "results/report.html", "--report-after-run"]
