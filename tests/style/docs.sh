#!/bin/bash
# The man pages and the completion say what the program's own tables say: every
# command, option and operand, and none that is not there.
# Usage: docs.sh ROOT VARVE
set -u
cd "$1" || exit 1
varve=$2
man=tools/man
status=0

bad() {
	echo "$1"
	status=1
}

dump=$("$varve" help --options) || exit 1
commands=$(cut -f 1 <<<"$dump" | uniq)

# tagged PAGE: its options, as in its source: 'n , -last Ar N'.
tagged() {
	sed -n 's/^\.It Fl //p' "$1"
}

# wanted COMMAND: its options, as a man page's source should have them.
wanted() {
	awk -F '\t' -v c="$1" '$1 == c && $2 != "synopsis" {
		printf "%s%s%s\n", $3 == "-" ? "" : substr($3, 2) " , ",
		    substr($2, 2), $4 == "-" ? "" : " Ar " $4
	}' <<<"$dump"
}

for c in $commands; do
	page=$man/varve-$c.1
	[ -f "$page" ] || {
		bad "no man page: $page"
		continue
	}
	while read -r option; do
		{
			tagged "$page"
			tagged $man/varve.1
		} | grep -qxF -e "$option" || bad "$page lacks: $option"
	done < <(wanted "$c")
	while read -r option; do
		wanted "$c" | grep -qxF -e "$option" ||
			bad "$page has what $c has not: $option"
	done < <(tagged "$page")
	synopsis=$(mandoc -T ascii "$page" | col -b |
		sed -n '/^SYNOPSIS/{n;s/^ *//;p;}')
	[ "$synopsis" = "$(awk -F '\t' -v c="$c" \
		'$1 == c && $2 == "synopsis" { print $3 }' <<<"$dump")" ] ||
		bad "$page has another synopsis: $synopsis"
done

while read -r option; do
	for c in $commands; do
		wanted "$c"
	done | grep -qxF -e "$option" ||
		bad "$man/varve.1 has what no command has: $option"
done < <(tagged $man/varve.1)

for page in "$man"/*.1; do
	c=${page#"$man"/varve}
	c=${c%.1}
	[ -z "$c" ] || grep -qx "${c#-}" <<<"$commands" ||
		bad "no such command: $page"
	problems=$(mandoc -T lint -W style "$page" 2>&1 |
		grep -v 'outdated mandoc.db\|referenced manual not found')
	[ -z "$problems" ] || bad "$problems"
done

# shellcheck source=/dev/null
. tools/completion/varve.bash
[ "$(tr ' ' '\n' <<<"$commands"$'\n'help | sort)" = \
	"$(tr ' ' '\n' <<<"${_varve_commands-}" | sort)" ] ||
	bad "the completion has other commands"
for c in $commands; do
	difference=$(diff <(_varve_options "$c" | tr ' ' '\n' | sort) \
		<(awk -F '\t' -v c="$c" '$1 == c && $2 != "synopsis" {
			print $2 }' <<<"$dump" | sort)) ||
		bad "the completion of $c: $difference"
done
exit $status
