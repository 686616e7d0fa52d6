# The workflow is in workflow/Snakefile; this file lets `snakemake` find it here.


include: "workflow/Snakefile"


# What an included file calls its default target is none.
rule default:
    default_target: True
    input:
        rules.all.input,
