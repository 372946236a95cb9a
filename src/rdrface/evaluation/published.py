"""Numbers of other people's papers, to stand beside ours. None was measured here, and every one names its source."""

from rdrface.evaluation.tables import Row

SUPPLEMENT = "RDR (Xiao et al., ICCV 2017), supplement, section 3"

_BINS_ONLY_MEAN = (None, None, None)


def _aflw2000(name: str, mean: float, source: str, bins: tuple[float | None, ...] = _BINS_ONLY_MEAN) -> Row:
    return Row(name, (*bins, mean, None), quoted=source)


AFLW2000_68 = (
    _aflw2000("RDR 3D", 5.36, SUPPLEMENT),
    _aflw2000("RDR 2D (3D+2D)", 4.93, SUPPLEMENT),
    _aflw2000("3DDFA", 5.42, "Zhu et al., CVPR 2016", (3.78, 4.54, 7.93)),
    _aflw2000("3DDFA+SDM", 4.94, "Zhu et al., CVPR 2016", (3.43, 4.24, 7.17)),
    _aflw2000("3DSTN", 4.49, "Bhagavatula et al., ICCV 2017"),
    _aflw2000("3DDFA, repository", 4.25, "github.com/cleardusk/3DDFA"),
    _aflw2000("DAMDNet", 3.90, "Jiang et al., ICCV workshops 2019"),
    _aflw2000("3DDFA-TPAMI", 3.79, "Zhu et al., TPAMI 2019"),
    _aflw2000("3D-FAN", 3.76, "Bulat & Tzimiropoulos, ICCV 2017"),
    _aflw2000("PRNet", 3.62, "Feng et al., ECCV 2018", (2.75, 3.51, 4.61)),
    _aflw2000("2DASL", 3.55, "Tu et al., TMM 2020"),
    _aflw2000("3DDFA_V2", 3.51, "Guo et al., ECCV 2020", (2.63, 3.42, 4.48)),
    _aflw2000("SynergyNet", 3.41, "Wu et al., 3DV 2021", (2.65, 3.30, 4.27)),
)
"""AFLW2000-3D, 68 points, all 2,000 images: [0, 30], (30, 60], (60, 90], mean of bins, image mean."""

AFLW2000_INNER = (
    _aflw2000("RDR 3D", 3.69, SUPPLEMENT),
    _aflw2000("RDR 2D (3D+2D)", 3.25, SUPPLEMENT),
)
"""AFLW2000-3D, 51 inner points; columns as `AFLW2000_68`."""


def _w300(name: str, common: float, challenging: float, full: float, source: str) -> Row:
    return Row(name, (common, challenging, full), quoted=source)


W300_INTEROCULAR = (
    _w300("HRNet", 2.87, 5.15, 3.32, "Wang et al., TPAMI 2020"),
    _w300("PIPNet-101", 2.78, 4.89, 3.19, "Jin et al., IJCV 2021"),
    _w300("STAR", 2.52, 4.32, 2.87, "Zhou et al., CVPR 2023"),
)
"""300-W, 68 points, inter-ocular: common, challenging, full."""
