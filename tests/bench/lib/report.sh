# shellcheck shell=bash disable=SC2154
# From samples.tsv to tables and a chart. Sourced by tools/bench.

# table FORMAT: with tabs.
table() {
	awk -v format="$1" -f "$parts/lib/table.awk" "$parts/rows" \
	    "$out/samples.tsv"
}

# machine NAME: what machine.tsv says of it.
machine() {
	awk -F '\t' -v name="$1" '$1 == name {
		printf "%s%s", n++ ? ", " : "", $2 }' "$out/machine.tsv"
}

# In one sentence: on what, with what, when.
circumstances() {
	printf '%s: %s, %s cores, %s, %s, %s; %s. K: %s; M: %s.\n' \
	    "$(machine date)" "$(machine cpu)" "$(machine cores)" \
	    "$(machine memory)" "$(machine kernel)" "$(machine filesystem)" \
	    "$(machine tool)" "$(machine k)" "$(machine m)"
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

report() {
	local more
	{
		circumstances
		echo
		table text | as_text
		for more in scale parts; do
			[ ! -f "$out/$more.txt" ] || {
				echo
				cat "$out/$more.txt"
			}
		done
	} >"$out/table.txt"
	{
		table markdown | as_markdown
		echo
		circumstances
	} >"$out/table.md"
	table chart | awk -f "$parts/lib/chart.awk" >"$out/chart.svg"
	[ -z "$readme" ] || into_readme
	cat "$out/table.txt"
}
