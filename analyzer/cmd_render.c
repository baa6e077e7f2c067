#include "commands.h"
const struct command cmd_render={.name="render",.summary="x",.arguments="",.help=""};
