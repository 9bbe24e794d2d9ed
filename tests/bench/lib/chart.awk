# The chart: for each row of the table that others have, too, how many times as
# long as varve they take, as an SVG. Input: the table, with tabs. The colours
# are seen as well on a white page as on a black one.

function escape(s) {
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	gsub(/>/, "\\&gt;", s)
	return s
}

function text(x, y, class, s) {
	printf "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", \
	    x, y, class, escape(s)
}

# What was measured; 0 for what can't be compared.
function value(cell) {
	return index(cell, "|") ? substr(cell, index(cell, "|") + 1) + 0 : 0
}

function shown(cell) {
	sub(/\|.*/, "", cell)
	return cell
}

function thousands(n) {
	return n < 1000 ? n : sprintf("%d,%03d", n / 1000, n % 1000)
}

# Where a ratio is, from left to right.
function place(r) {
	if (r < 0.5)
		r = 0.5
	return left + log(r) / log(10) * decade
}

function times(r) {
	return (r < 9.95 ? sprintf("%.1f", r) : thousands(int(r + 0.5))) "x"
}

BEGIN {
	FS = "\t"
	bar = 13
	left = 360
	width = 930
	colour["restic"] = "#4a7fb5"
	colour["borg"] = "#c2665f"
	colour["bup"] = "#a58535"
	colour["squashfs, plain"] = "#5b9a6f"
	colour["cp -r, sync"] = "#8a7bb0"
}

NR == 1 {
	for (i = 1; i <= NF; i++) {
		heading[i] = $i
		if ($i in colour) {
			tools[++ntools] = i
		}
		if ($i == "varve")
			own = i
	}
	next
}

# Rows of times and rates, for which there is somebody else.
($2 == "s" || $2 ~ /\/s$/) && value($own) > 0 {
	bars = 0
	for (t = 1; t <= ntools; t++) {
		v = value($tools[t])
		if (v == 0)
			continue
		r = $2 == "s" ? v / value($own) : value($own) / v
		bars++
		ratio[nrows + 1, bars] = r
		whose[nrows + 1, bars] = heading[tools[t]]
		label[nrows + 1, bars] = shown($tools[t]) " " $2 " \302\267 " \
		    ($tools[t] ~ /^>/ ? "> " : "") times(r)
		if (r > most)
			most = r
	}
	if (bars == 0)
		next
	nbars[++nrows] = bars
	name[nrows] = $1
	figure[nrows] = "varve " shown($own) " " $2
	total += bars
}

END {
	decades = 1
	while (10 ^ decades < most)
		decades++
	decade = (width - left - 150) / decades
	height = 84 + total * (bar + 2) + nrows * 12
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" " \
	    "height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", \
	    width, height, width, height
	print "<title>How many times as long as varve the others take</title>"
	print "<style>"
	print "text { font: 12px sans-serif; fill: #6e7781 }"
	print ".head { font-size: 15px; font-weight: bold }"
	print ".right { text-anchor: end }"
	print ".middle { text-anchor: middle }"
	print ".line { stroke: #6e7781; stroke-opacity: 0.3 }"
	print ".one { stroke: #6e7781 }"
	print "</style>"
	text(8, 20, "head", "How many times as long as varve (the line at 1x)")
	x = 8
	for (t = 1; t <= ntools; t++) {
		h = heading[tools[t]]
		printf "<rect x=\"%d\" y=\"32\" width=\"11\" height=\"11\" " \
		    "rx=\"2\" fill=\"%s\"/>\n", x, colour[h]
		text(x + 16, 42, "", h)
		x += 36 + 7 * length(h)
	}
	for (d = 0; d <= decades; d++) {
		x = place(10 ^ d)
		printf "<line x1=\"%d\" y1=\"66\" x2=\"%d\" y2=\"%d\" " \
		    "class=\"%s\"/>\n", x, x, height - 8, d ? "line" : "one"
		text(x, 60, "middle", thousands(10 ^ d) "x")
	}
	y = 74
	for (i = 1; i <= nrows; i++) {
		text(left - 32, y + 11, "right", name[i])
		if (nbars[i] > 1)
			text(left - 32, y + 12 + bar, "right", figure[i])
		for (b = 1; b <= nbars[i]; b++) {
			x = place(ratio[i, b])
			printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" " \
			    "height=\"%d\" rx=\"2\" fill=\"%s\"/>\n", \
			    x < left ? x : left, y, \
			    x < left ? left - x : x - left + 0.5, bar, \
			    colour[whose[i, b]]
			text((x < left ? left : x) + 6, y + 11, "", label[i, b])
			y += bar + 2
		}
		y += 12
	}
	print "</svg>"
}
