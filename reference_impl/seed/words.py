"""The words that seeded things are named with."""

from __future__ import annotations

# Each category and what is sold in it.
GOODS: dict[str, tuple[str, ...]] = {
    "Bowls": ("bowl", "serving bowl", "mixing bowl", "fruit bowl"),
    "Plates": ("plate", "side plate", "platter", "cake stand"),
    "Cups": ("mug", "tea cup", "espresso cup", "tumbler"),
    "Kitchen": ("chopping board", "rolling pin", "spoon rest", "bread bin", "pepper mill"),
    "Lighting": ("table lamp", "pendant lamp", "lantern", "candle holder"),
    "Textiles": ("throw", "cushion", "table runner", "tea towel", "rug"),
    "Furniture": ("stool", "side table", "bench", "bookshelf", "coat rack"),
    "Storage": ("basket", "box", "tray", "jar", "crate"),
    "Garden": ("planter", "watering can", "bird house", "trowel"),
    "Stationery": ("notebook", "pen tray", "bookend", "letter opener"),
    "Jewellery": ("ring", "brooch", "bracelet", "pendant"),
    "Toys": ("spinning top", "puzzle", "building blocks", "rocking horse"),
}
QUALITIES = (
    "Small", "Large", "Round", "Oval", "Tall", "Shallow", "Ribbed", "Plain", "Speckled", "Glazed", "Carved", "Woven",
    "Striped", "Polished", "Rustic", "Folding", "Stacking", "Painted",
)  # fmt: skip
MATERIALS = (
    "walnut", "oak", "ash", "cherry", "stoneware", "porcelain", "terracotta", "brass", "copper", "linen", "wool",
    "cotton", "willow", "bamboo", "glass", "marble", "leather", "cork", "enamel", "slate",
)  # fmt: skip
SENTENCES = (
    "Made by hand in a small workshop.",
    "No two pieces are quite alike.",
    "Finished with food-safe oil.",
    "Wipe clean with a damp cloth.",
    "Dishwasher safe, though it prefers not to be.",
    "The grain darkens with the years.",
    "Packed in paper, without plastic.",
    "Signed on the underside by its maker.",
    "100% natural, and warm to the touch.",
    "Comes with a card that tells its story.",
)
COMMENTS = (
    "Exactly as pictured.",
    "Smaller than it looks, and lovely.",
    "A present that was well received.",
    "Arrived with a scratch, exchanged without a word.",
    "We use it every day.",
    "Heavier than I thought.",
    "The colour is warmer than on the screen.",
    "Would buy again.",
    "",
)
NAMES = (
    "Ada", "Björn", "Chloé", "Dmitri", "Edith", "Farid", "Grace", "Hana", "Ines", "Jonas", "Kemal", "Léa", "Mei",
    "Noor", "Olga", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Uma", "Vera", "Wanda", "Yuki", "Zofia",
)  # fmt: skip
