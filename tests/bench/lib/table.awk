# Rows and samples as a table, with tabs between its cells. With -v format=text
# it also says what was meant to be reached; with -v format=chart a figure is
# followed by '|' and its value as it was measured, where it may be compared.
# Input: rows, then samples.tsv.

function heading(tool) {
	if (tool == "varve_key")
		return "varve, key file"
	if (tool == "cp")
		return "cp -r, sync"
	return tool == "squashfs" ? "squashfs, plain" : tool
}

# Three digits that count; thousands with a comma.
function number(v, unit) {
	if (v !~ /^[0-9.]+$/)
		return v
	if (unit == "s" && v < 0.0995)
		return sprintf("%.3f", v)
	if (v >= 1000)
		return sprintf("%d,%03d", v / 1000, int(v + 0.5) % 1000)
	if (unit == "s" && v < 99.5)
		return sprintf(v < 9.95 ? "%.2f" : "%.1f", v)
	return sprintf("%.0f", v)
}

function cell(row, tool,    key, text) {
	key = row SUBSEP tool
	if (!(key in n))
		return ""
	if (flag[key] == "failed")
		return "failed"
	text = number(median(key), unit[row])
	if (flag[key] == "wrong")
		return text " WRONG"
	if (flag[key] == "over")
		text = "> " text
	return text (format == "chart" ? "|" median(key) : "")
}

function median(key,    i, j, t, v, count) {
	count = split(values[key], v, " ")
	for (i = 2; i <= count; i++)
		for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return count % 2 ? v[(count + 1) / 2] : \
	    v[1] !~ /^[0-9.]+$/ ? v[1] : (v[count / 2] + v[count / 2 + 1]) / 2
}

# How many times as good varve is as ${tool}: 0 when one can't tell.
function ratio(row, tool,    own, other) {
	own = row SUBSEP "varve"
	other = row SUBSEP tool
	if (!(own in n) || !(other in n) || flag[own] != "ok" ||
	    (flag[other] != "ok" && flag[other] != "over"))
		return 0
	own = median(own)
	other = median(other)
	if (own !~ /^[0-9.]+$/ || own + 0 == 0 || other + 0 == 0)
		return 0
	return unit[row] ~ /\/s$/ ? own / other : other / own
}

function times(r) {
	if (r == 0)
		return ""
	return (r < 9.95 ? sprintf("%.1f", r) : number(r, "")) " x"
}

function best(row,    t, r, least) {
	for (t = 1; t <= npeers; t++) {
		r = ratio(row, peers[t])
		if (r > 0 && (least == 0 || r < least))
			least = r
	}
	return least
}

BEGIN {
	FS = "|"
	norder = split("varve varve_key restic borg bup cp squashfs", order, " ")
	npeers = split("restic borg bup", peers, " ")
}

FNR == 1 { file++ }

file == 1 && !/^#/ && NF >= 4 {
	names[++nrows] = $1
	unit[$1] = $2
	caches[$1] = $3
	what[$1] = $4
	goal[$1] = $5
}

file == 2 {
	split($0, s, "\t")
	key = s[1] SUBSEP s[2]
	n[key]++
	used[s[2]] = 1
	seen[s[1]] = 1
	if (flag[key] == "" || flag[key] == "ok")
		flag[key] = s[4]
	if (s[4] != "failed" && !(s[4] == "wrong" && s[3] == 0))
		values[key] = values[key] " " s[3]
	if (s[3] !~ /^[0-9.]+$/) { # words: the last counts
		gsub(/ /, "_", s[3])
		values[key] = s[3]
	}
}

END {
	line = "work\tunit\tcaches"
	for (t = 1; t <= norder; t++)
		if (order[t] in used)
			line = line "\t" heading(order[t])
	line = line "\trestic / varve\tbest / varve"
	print line (format == "text" ? "\tgoal" : "")
	for (i = 1; i <= nrows; i++) {
		row = names[i]
		if (!(row in seen))
			continue
		line = what[row] "\t" unit[row] "\t" caches[row]
		for (t = 1; t <= norder; t++)
			if (order[t] in used) {
				text = cell(row, order[t])
				gsub(/_/, " ", text)
				line = line "\t" text
			}
		line = line "\t" times(ratio(row, "restic")) "\t" \
		    times(best(row))
		print line (format == "text" ? "\t" goal[row] : "")
	}
}
