"""What is drawn: a person's looks, and what changes from one photo of them to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

# Lengths are head units: 1 is half the width of an average head. The middle between the eyes is (0, 0).


@dataclass(frozen=True)
class Looks:
    """A person who does not exist, as numbers.

    Attributes:
        seed: decides freckles, strands, the pattern of a beard.
        wide, long: head, relative to the average (0.88 to 1.12).
        jaw: width of the jaw, 0.7 (narrow) to 1.1 (square).
        chin: width of the chin, 0.35 (pointed) to 0.8; chin_out: how far it stands out, 0 to 0.2.
        cheek: fullness of the cheeks, 0 to 0.14; bone: cheekbones, 0 to 0.1.
        ridge: brow ridge, 0 to 0.1.
        spacing: from the middle to an eye, 0.37 to 0.47; eye: half its width, 0.2 to 0.28; open: its height by
            width, 0.32 to 0.6; slant: outer corners raised, −0.12 to 0.16; lid: height of the upper lid, 0.1 to 0.5.
        iris: colour of the eyes ("rrggbb", as all colours).
        brow_at: height of the brows, 0.24 to 0.4; brow: thickness, 0.3 to 1.6; arch: −0.02 to 0.1; brow_tilt: −0.06
            (inner ends high) to 0.06.
        nose_long: height of its tip below the eyes, 0.42 to 0.6; nose_wide: 0.75 to 1.4; nose_out: 0.24 to 0.46;
            bridge: 0.03 to 0.2; hump: −0.04 to 0.07.
        mouth_at: 0.85 to 1.02 below the eyes; mouth: half its width, 0.27 to 0.42; upper, lower: height of the lips,
            0.035 to 0.12.
        ear: size, 0.8 to 1.25.
        skin, lips, hair, brows: colours.
        blush, freckles: 0 to 1; age: lines in the face, 0 to 1.
        style: hair, a name of hair.STYLES.
        beard: "", "stubble", "moustache", "goatee", "short" or "full".
        glasses: "", "round", "square" or "thin"; frame: their colour.
        hat: "", "beanie", "scarf" or "turban"; cloth: its colour.
        makeup: strength of lashes and lip colour, 0 to 1.
        neck: width of the neck, 0.44 to 0.68; build: width of the shoulders, 0.8 to 1.2.
    """

    seed: int
    wide: float = 1.0
    long: float = 1.0
    jaw: float = 0.9
    chin: float = 0.55
    chin_out: float = 0.08
    cheek: float = 0.06
    bone: float = 0.04
    ridge: float = 0.04
    spacing: float = 0.42
    eye: float = 0.235
    open: float = 0.45
    slant: float = 0.03
    lid: float = 0.25
    iris: str = "5a3a22"
    brow_at: float = 0.31
    brow: float = 0.9
    arch: float = 0.04
    brow_tilt: float = 0.02
    nose_long: float = 0.5
    nose_wide: float = 1.0
    nose_out: float = 0.3
    bridge: float = 0.1
    hump: float = 0.0
    mouth_at: float = 0.92
    mouth: float = 0.34
    upper: float = 0.06
    lower: float = 0.08
    ear: float = 1.0
    skin: str = "e0ac8c"
    lips: str = "b5635c"
    hair: str = "3b2417"
    brows: str = "3b2417"
    blush: float = 0.4
    freckles: float = 0.0
    age: float = 0.2
    style: str = "short"
    beard: str = ""
    glasses: str = ""
    frame: str = "26211f"
    hat: str = ""
    cloth: str = "8c3b3b"
    makeup: float = 0.0
    neck: float = 0.54
    build: float = 1.0


@dataclass(frozen=True)
class Light:
    """How a photo is lit.

    Attributes:
        side: where the main light stands, degrees to the viewer's right of the camera, −80 to 80.
        height: degrees above it, −10 to 70.
        strength: of the main light, 0.5 to 1.5; ambient: of light from all around, 0.15 to 0.7.
        warmth: −1 (blue) to 1 (orange).
        rim: light from behind, 0 to 1.
    """

    side: float = 30.0
    height: float = 35.0
    strength: float = 1.0
    ambient: float = 0.4
    warmth: float = 0.1
    rim: float = 0.2


@dataclass(frozen=True)
class Expression:
    """What the face does.

    Attributes:
        smile: −0.3 (sad) to 1; gap: how far the mouth is open, 0 to 1; brows: raised, −0.5 to 1;
            lids: how far the eyes are open, 0.35 to 1.2; look: where the eyes look, (right, up), −1 to 1 each.
    """

    smile: float = 0.3
    gap: float = 0.0
    brows: float = 0.0
    lids: float = 1.0
    look: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Shot:
    """One photo of a person.

    Attributes:
        size: width and height in pixels, as displayed.
        head: height of the head by the photo's smaller side, 0.35 to 0.75.
        place: where the middle of the face is, (right, up) of the photo's middle by its smaller side.
        turn, tilt, roll: of the head, degrees.
        light, expression: see there.
        scene: a name of backdrop.SCENES; scene_seed: which one of that kind.
        clothes: a name of body.CLOTHES, with its colour `cloth`.
        colour: 1 as it is, 0 grey.
    """

    size: tuple[int, int] = (360, 360)
    head: float = 0.58
    place: tuple[float, float] = (0.0, 0.03)
    turn: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0
    light: Light = field(default_factory=Light)
    expression: Expression = field(default_factory=Expression)
    scene: str = "studio"
    scene_seed: int = 0
    clothes: str = "crew"
    cloth: str = "4a6a8a"
    colour: float = 1.0
