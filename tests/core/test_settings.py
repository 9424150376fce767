from havpn_core.rules.hysteresis import PathRules
from havpn_core.rules.settings import Settings

RULES = PathRules(fall=3, rise=5, stale_s=5.0)


def test_what_holds_where_nothing_is_said():
    assert Settings(RULES, 0.5) == Settings(
        rules=RULES,
        timeout_s=0.5,
        slack_s=0.015,
        adaptive=False,
        window=None,
        switch_when_poor=False,
        damping=None,
        require=1,
    )
