# shellcheck shell=bash disable=SC2154
# From samples.tsv to tables and a chart. Sourced by tools/bench.

# table FORMAT: with tabs.
table() {
	awk -v format="$1" -f "$parts/lib/table.awk" "$parts/rows" \
	    "$out/samples.tsv"
}

# machine NAME: what $described, or else the table's machine.tsv, says of it.
machine() {
	awk -F '\t' -v name="$1" '$1 == name {
		printf "%s%s", n++ ? ", " : "", $2 }' \
	    "${described:-$out/machine.tsv}"
}

# conditions TOOLS: when and where those were measured.
conditions() {
	printf '%s: %s, %s cores, %s, %s, %s; %s.' \
	    "$(machine date)" "$(machine cpu)" "$(machine cores)" \
	    "$(machine memory)" "$(machine kernel)" "$(machine filesystem)" \
	    "$1"
}

# In one sentence: on what, with what, when.
circumstances() {
	printf '%s K: %s; M: %s.\n' "$(conditions "$(machine tool)")" \
	    "$(machine k)" "$(machine m)"
}

# --- rows that last until they are measured anew ----------------------------
#
# NAME.txt holds those of NAME, after a line with the conditions they were
# measured under: those of the table beside them may be others.

lasting='scale parts'

# lasting_rows NAME: without that line.
lasting_rows() {
	sed 1d "$out/$1.txt"
}

# lasting_conditions NAME: in a sentence; nothing where they are the table's.
lasting_conditions() {
	local was varve
	read -r was <"$out/$1.txt"
	varve=$(awk -F '\t' '$1 == "tool" && $2 ~ /^varve / { print $2 }' \
	    "$out/machine.tsv")
	[ "$was" = "$(conditions "$varve")" ] ||
		echo "The rows of '$1' are of $was"
}

# Aligned; empty cells stay in their columns.
as_text() {
	sed -e ':a; s/\t\t/\t-\t/; ta; s/\t$/\t-/' |
	    awk -F '\t' '{
		for (i = 1; i <= NF; i++) {
			cell[NR, i] = $i
			if (length($i) > wide[i])
				wide[i] = length($i)
		}
	} END {
		for (r = 1; r <= NR; r++) {
			line = ""
			for (i = 1; i <= NF; i++)
				line = line sprintf(i == 1 || i == NF ? \
				    "%-" wide[i] "s  " : "%" wide[i] "s  ", \
				    cell[r, i])
			sub(/ +$/, "", line)
			print line
		}
	}'
}

as_markdown() {
	awk -F '\t' '{
		line = "|"
		rule = "|"
		for (i = 1; i <= NF; i++) {
			line = line " " $i " |"
			rule = rule (i > 3 ? " ---: |" : " --- |")
		}
		print line
		if (NR == 1)
			print rule
	}'
}

# The README's part between its two marks.
region() {
	local chart
	chart=$(realpath --relative-to="$top" "$out/chart.svg")
	echo '<!-- measures: made by tools/bench -->'
	echo "![How many times as long as varve the others take]($chart)"
	echo
	cat "$out/table.md"
	echo '<!-- measures: end -->'
}

into_readme() {
	local new
	new=$(mktemp)
	region >"$out/region"
	awk -v region="$out/region" '
		/^<!-- measures: made by/ {
			while ((getline line <region) > 0)
				print line
			skip = 1
		}
		!skip { print }
		/^<!-- measures: end/ { skip = 0 }
	' "$top/README.md" >"$new"
	cat "$new" >"$top/README.md"
	rm -f "$new" "$out/region"
}

# lasting_as FORMAT: after the table. Only the text has the rows themselves.
lasting_as() {
	local name
	for name in $lasting; do
		[ -f "$out/$name.txt" ] || continue
		case $1 in
		text)
			echo
			lasting_conditions "$name"
			lasting_rows "$name"
			;;
		markdown) lasting_conditions "$name" | sed 's/^/\n/' ;;
		esac
	done
}

report() {
	{
		circumstances
		echo
		table text | as_text
		lasting_as text
	} >"$out/table.txt"
	{
		table markdown | as_markdown
		echo
		circumstances
		lasting_as markdown
	} >"$out/table.md"
	table chart | awk -f "$parts/lib/chart.awk" >"$out/chart.svg"
	[ -z "$readme" ] || into_readme
	cat "$out/table.txt"
}
