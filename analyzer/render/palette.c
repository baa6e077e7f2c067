#include "palette.h"

const struct color palette[COLORS] = {
    [COLOR_PAPER] = {"#ffffff", "#17191d"},          [COLOR_INK] = {"#000000", "#eceae5"},
    [COLOR_FAINT] = {"#555555", "#b5b3ae"},          [COLOR_LINE] = {"#333333", "#cccac5"},
    [COLOR_FAINT_LINE] = {"#777777", "#93918c"},     [COLOR_FRAME] = {"#999999", "#6f6e6a"},
    [COLOR_LIVE] = {"#0072b2", "#56b4e9"},           [COLOR_LIVE_FILL] = {"#e8f2f9", "#10273a"},
    [COLOR_LIVE_BAR] = {"#8fc4e6", "#2c6c96"},       [COLOR_GARBAGE] = {"#d55e00", "#ff8f45"},
    [COLOR_GARBAGE_FILL] = {"#fbe6da", "#40210f"},   [COLOR_DEPENDENT] = {"#806000", "#e2c032"},
    [COLOR_DEPENDENT_FILL] = {"#fff8e1", "#30290c"}, [COLOR_INVISIBLE] = {"#9b4272", "#e691c2"},
    [COLOR_INVISIBLE_FILL] = {"#f7e6f0", "#3a1d2f"}, [COLOR_ROOT] = {"#00795a", "#37c99d"},
    [COLOR_ROOT_FILL] = {"#dff3ec", "#0c3127"},      [COLOR_NEW] = {"#a65c00", "#f2ab3c"},
    [COLOR_NEW_FILL] = {"#ffefd3", "#3d2a0a"},       [COLOR_GONE] = {"#666666", "#a3a19c"},
    [COLOR_GONE_FILL] = {"#f2f2f2", "#2a2b2e"},
};
