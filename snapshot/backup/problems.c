#include "snapshot/backup/problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (16 * 1024 * 1024) /* beyond it they are only counted */

static const char *const words[] = {
    [BACKUP_UNREADABLE] = "unreadable",
    [BACKUP_CHANGED] = "changed",
    [BACKUP_VANISHED] = "vanished",
};

void
problems_clear(struct problems *p)
{
	wr_clear(&p->text);
}

static void
write_escaped(struct wr *w, const char *path)
{
	char octal[5];

	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;

		if (c > 0x20 && c != 0x7f && c != '\\') {
			wr_u8(w, c);
			continue;
		}
		(void)snprintf(octal, sizeof(octal), "\\%03o", c);
		wr_bytes(w, octal, 4);
	}
}

static void
write_line(struct wr *w, enum backup_problem what, const char *path, int errnum)
{
	const char *name = errnum != 0 ? strerrorname_np(errnum) : NULL;

	wr_bytes(w, words[what], strlen(words[what]));
	wr_u8(w, ' ');
	wr_bytes(w, name != NULL ? name : "-", name != NULL ? strlen(name) : 1);
	wr_u8(w, ' ');
	write_escaped(w, *path != '\0' ? path : ".");
	wr_u8(w, '\n');
}

int
problems_add(struct problems *p, enum backup_problem what, const char *dir,
    const char *name, int errnum, struct err *err)
{
	const char *slash = *dir != '\0' && *name != '\0' ? "/" : "";
	char *path;

	if (what == BACKUP_UNREADABLE)
		p->unreadable++;
	else if (what == BACKUP_CHANGED)
		p->changed++;
	else
		p->vanished++;
	if (asprintf(&path, "%s%s%s", dir, slash, name) < 0)
		return err_nomem(err);
	if (p->opt->on_problem != NULL)
		p->opt->on_problem(
		    p->opt->arg, what, *path != '\0' ? path : ".", errnum);
	if (p->text.len < TEXT_MAX)
		write_line(&p->text, what, path, errnum);
	free(path);
	return p->text.failed ? err_nomem(err) : 0;
}
