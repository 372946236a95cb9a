"""Published results to compare with. None of them was measured here; every row names its source."""

from rdrface.evaluation.tables.tables import Cell, Row

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
"""AFLW2000-3D, 51 inner points; columns as in `AFLW2000_68`."""


def _w300(name: str, common: float, challenging: float, full: float, source: str) -> Row:
    return Row(name, (common, challenging, full), quoted=source)


W300_INTEROCULAR = (
    _w300("HRNet", 2.87, 5.15, 3.32, "Wang et al., TPAMI 2020"),
    _w300("PIPNet-101", 2.78, 4.89, 3.19, "Jin et al., IJCV 2021"),
    _w300("STAR", 2.52, 4.32, 2.87, "Zhou et al., CVPR 2023"),
)
"""300-W, 68 points, inter-ocular: common, challenging, full."""

_WFLW = "Wang et al., TPAMI 2020"
_SLPT = "Xia et al., CVPR 2022, its repository"
_FULL_ONLY = (None,) * 6

WFLW_NME = (
    Row("LAB", (5.27, 10.24, 5.51, 5.23, 5.15, 6.79, 6.32), quoted=f"Wu et al., CVPR 2018, as quoted by {_WFLW}"),
    Row("HRNet", (4.60, 7.94, 4.85, 4.55, 4.29, 5.44, 5.42), quoted=_WFLW),
    Row("SLPT", (4.14, *_FULL_ONLY), quoted=_SLPT),
)
"""WFLW, 98 points, inter-ocular: full test set, then the six attributes in the order of the dataset."""

WFLW_FAILURES = (Row("SLPT", (2.76, *_FULL_ONLY), quoted=_SLPT),)
"""Failure rate at 10 %, percent; columns as in `WFLW_NME`."""

WFLW_AREA = (Row("SLPT", (59.5, *_FULL_ONLY), quoted=_SLPT),)
"""Area under the cumulative error curve up to 10 %, percent; columns as in `WFLW_NME`."""

COFW68 = (
    Row("SLPT, trained on 300-W", (4.10, None, None), quoted="Xia et al., CVPR 2022"),
    Row("SPIGA", (None, None, 2.52), quoted="Prados-Torreblanca et al., BMVC 2022, repository andresprados/SPIGA"),
)
"""COFW68: inter-ocular, inter-pupil, box."""

_CCL = "RDR, supplement, table 1, quoted there from CCL (Zhu et al., CVPR 2016)"
_D3PF = "RDR, supplement, table 2, quoted there from D3PF (Jourabloo & Liu, CVPR 2016)"
_ZHU = "Zhu et al., CVPR 2016, as quoted by github.com/Ray-tju/PRMNet"


def _pifa(name: str, mean: float, source: str) -> Row:
    return Row(name, (mean, None), quoted=source)


AFLW_PIFA = {
    21: (
        _pifa("CDM", 8.59, _CCL),
        _pifa("RCPR", 7.15, _CCL),
        _pifa("CFSS", 6.75, _CCL),
        _pifa("ERT", 7.03, _CCL),
        _pifa("SDM", 6.96, _CCL),
        _pifa("PIFA", 6.52, _CCL),
        _pifa("CCL", 5.81, _CCL),
        _pifa("RDR", 4.07, SUPPLEMENT),
    ),
    34: (
        _pifa("RCPR", 6.26, _D3PF),
        _pifa("PIFA", 8.04, _D3PF),
        _pifa("D3PF", 4.72, _D3PF),
        _pifa("RDR", 4.11, SUPPLEMENT),
    ),
}
"""AFLW-PIFA: number of points -> rows of tables 1 and 2 of the supplement: NME, faces."""

AFLW_21 = (
    Row("CDM", (8.15, 13.02, 16.17, 12.44, 4.04, None), quoted=_ZHU),
    Row("RCPR", (5.43, 6.58, 11.53, 7.85, 3.24, None), quoted=_ZHU),
    Row("ESR", (5.66, 7.12, 11.94, 8.24, 3.29, None), quoted=_ZHU),
    Row("SDM", (4.75, 5.55, 9.34, 6.55, 2.45, None), quoted=_ZHU),
    Row("3DDFA", (5.00, 5.06, 6.74, 5.60, 0.99, None), quoted=_ZHU),
    Row("3DDFA, repository", (None, None, None, 5.40, 0.75, None), quoted="github.com/cleardusk/3DDFA"),
    Row("3DDFA-TPAMI", (None, None, None, 4.55, None, None), quoted="Zhu et al., TPAMI 2019"),
)
"""AFLW, 21 visible points: [0, 30], (30, 60], (60, 90], mean of bins, standard deviation of bins, image mean."""

BIWI_FRAMES = 15_678
"""Number of frames of the dataset."""

_SIXD = "Hempel et al., ICIP 2022, including results they quote (github.com/thohemp/6DRepNet)"
_PLUS = "github.com/kuhnkeF/headposeplus, results/compilations/ypr.md"


def _pose(name: str, mean: float, source: str, angles: tuple[Cell, ...] = (None,) * 3, faces: Cell = None) -> Row:
    return Row(name, (*angles, mean, faces), quoted=source)


HEAD_POSE = {
    "aflw2000_3d": (
        _pose("HopeNet (alpha 2)", 6.16, _SIXD, (6.47, 6.56, 5.44)),
        _pose("FSA-Net", 5.07, _SIXD, (4.50, 6.08, 4.64)),
        _pose("3DDFA_V2", 4.27, "Guo et al., ECCV 2020"),
        _pose("6DRepNet", 3.97, _SIXD, (3.63, 4.91, 3.37)),
        _pose("SynergyNet", 3.35, "Wu et al., 3DV 2021"),
    ),
    "biwi": (
        _pose("HopeNet (alpha 1)", 4.90, _SIXD, (4.81, 6.61, 3.27)),
        _pose("FSA-Net", 4.00, _SIXD, (4.27, 4.96, 2.76)),
        _pose("6DRepNet", 3.47, _SIXD, (3.24, 4.48, 2.68)),
        _pose("HopeNet, all frames", 4.83, _PLUS, (4.89, 6.49, 3.13), BIWI_FRAMES),
        _pose("FSA-Net, all frames", 5.15, _PLUS, (6.20, 6.10, 3.15), BIWI_FRAMES),
        _pose("6DRepNet, all frames", 4.34, _PLUS, (4.65, 5.46, 2.91), BIWI_FRAMES),
    ),
}
"""Dataset -> published rows: yaw, pitch, roll, mean, faces. All methods were trained on 300W-LP."""
