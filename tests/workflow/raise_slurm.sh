#!/usr/bin/env bash
# A SLURM of this one machine, with fake GPUs, from Debian's packages: for tests, as root, where there is no other.
set -euo pipefail

if [ -e /etc/slurm/slurm.conf ] && ! grep --quiet '^ClusterName=syngeno$' /etc/slurm/slurm.conf; then
    echo "/etc/slurm/slurm.conf: belongs to another SLURM; try the profile on a machine without one" >&2
    exit 1
fi

packages=(slurmctld slurmd slurm-client munge)
if ! dpkg --status "${packages[@]}" >/dev/null 2>&1; then
    apt-get update --quiet --quiet
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet "${packages[@]}" >/dev/null
fi

host=$(hostname --short)
memory=$(awk '/^MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
mkdir -p /run/munge /var/lib/slurm/state /var/spool/slurmd /var/log/slurm
chown munge: /run/munge

# Who holds more memory than asked for is killed, as sites do by cgroups, which a container may not have. Jobs that are
# over stay known for a while (MinJobAge): there is no accounting database.
cat >/etc/slurm/slurm.conf <<EOF
ClusterName=syngeno
SlurmctldHost=$host
AuthType=auth/munge
CredType=cred/munge
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
GresTypes=gpu
MinJobAge=300
ReturnToService=2
StateSaveLocation=/var/lib/slurm/state
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
# More than there are: what waits for SLURM can wait together.
SlurmdParameters=config_overrides
NodeName=$host CPUs=8 RealMemory=$memory Gres=gpu:4
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
printf "NodeName=$host Name=gpu File=%s\n" /dev/null /dev/zero /dev/full /dev/random >/etc/slurm/gres.conf

running() { pgrep --exact --runstates DRS "$1" >/dev/null; } # and is no zombie
running munged || runuser -u munge -- munged --force # also where one that was killed left its socket
running slurmctld || slurmctld -c # what an earlier one knew would be in the way
running slurmd || slurmd
for _ in $(seq 60); do
    [ "$(timeout 10 sinfo --noheader --format=%T 2>/dev/null)" = idle ] && exit
    sleep 1
done
timeout 10 sinfo --long >&2 || true
tail -n 20 /var/log/slurm/*.log >&2
exit 1
