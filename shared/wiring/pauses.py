"""The use cases of pauses that every turn asks, each imported and made at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.wiring.once import made_once
from shared.wiring.outcomes import OutcomeUseCases

if TYPE_CHECKING:
    from shared.service.delivery.brake import Brake
    from shared.service.delivery.pauses import ActivePauses, Hold


class PauseUseCases(OutcomeUseCases):
    """One of each for one app."""

    @made_once
    def active_pauses(self) -> ActivePauses:
        from shared.service.delivery.pauses import ActivePauses

        return ActivePauses(self.ports.pauses, self.ports.clock)

    @made_once
    def hold(self) -> Hold:
        from shared.service.delivery.pauses import Hold

        return Hold(self.active_pauses, self.ports.pauses, self.repository, self.ports.clock)

    @made_once
    def brake(self) -> Brake:
        from shared.service.delivery.brake import Brake

        ports = self.ports
        return Brake(
            limits=self.settings.change_brake,
            counts=ports.brake,
            pauses=ports.pauses,
            active=self.active_pauses,
            clock=ports.clock,
            randomness=ports.randomness,
        )
