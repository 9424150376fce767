"""``havpn`` on a gateway that is unfit while its run_dir has a file ``unfit`` with the reason."""

from pathlib import Path

from havpn_core.cli import main
from havpn_core.daemon.gateway import Gateway
from havpn_core.rules.fitness import Fitness


def fitness(gateway):
    file = Path(gateway.parts.config.node.run_dir) / "unfit"
    return Fitness(False, reason=file.read_text().strip()) if file.exists() else Fitness(True)


if __name__ == "__main__":
    Gateway.fitness = property(fitness)
    main()
