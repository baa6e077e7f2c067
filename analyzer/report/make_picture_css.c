/* make_picture_css: prints the stylesheet of pictures, which the page has once for all of them. Part of the build, so
 * that the page can name its hash. */
#include "../render/svg.h"

int main(void)
{
    svg_write_style(stdout);
    return 0;
}
