#include "tools/exit.h"

enum exit_status
exit_of(int code)
{
	switch (code) {
	case 0:
		return EXIT_DONE;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_CORRUPT:
		return EXIT_DAMAGE;
	default:
		return EXIT_FAILED;
	}
}

const char *
exit_word(int code)
{
	switch (code) {
	case ERR_IO:
		return "io";
	case ERR_NOMEM:
		return "no-memory";
	case ERR_NOT_FOUND:
		return "not-found";
	case ERR_CORRUPT:
		return "damaged";
	case ERR_AUTH:
		return "authentication";
	case ERR_DENIED:
		return "denied";
	case ERR_LOCKED:
		return "locked";
	case ERR_FULL:
		return "full";
	case ERR_VERSION:
		return "version";
	case ERR_USAGE:
		return "usage";
	case ERR_CANCELLED:
		return "stopped";
	default:
		return "bug";
	}
}
