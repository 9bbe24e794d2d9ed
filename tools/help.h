#ifndef TOOLS_HELP_H
#define TOOLS_HELP_H

/**
 * help_run(argv):
 * 'varve help [COMMAND]'. Also 'varve help --options', a dump of all tables by
 * which tests compare them with the man pages and the completion. Returns the
 * process's exit status.
 */
int help_run(char *const *argv);

#endif
