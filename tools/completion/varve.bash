# bash completion for varve. A test compares the lists with the program's own.

_varve_commands='init backup list mount restore diff find check prune grant dataset expire hold release replicate repair serve site status promote demote settle help'

_varve_common='--help --json --quiet --verbose'
_varve_store='--store --fingerprint'
_varve_key='--person --key-file --recovery-key-file'
_varve_passphrase='--passphrase-file --passphrase-command'
_varve_keep='--keep-within --keep-last --keep-hourly --keep-daily --keep-weekly'
_varve_keep+=' --keep-monthly --keep-yearly'
_varve_open="$_varve_store $_varve_key $_varve_passphrase $_varve_common"

_varve_options()
{
	case $1 in
	init)
		echo "--name --recovery-key-file --store $_varve_keep" \
			"$_varve_passphrase $_varve_common"
		;;
	backup)
		echo "--full --exclude --exclude-file --exclude-caches" \
			"--cross-filesystems --exec --name --host --threads" \
			"$_varve_open"
		;;
	list)
		echo "--last --sites --expired $_varve_open"
		;;
	mount)
		echo "--foreground --dataset --allow-other --no-sharing" \
			"--cache --options $_varve_open"
		;;
	restore)
		echo "--no-owner --numeric-ids --threads $_varve_open"
		;;
	diff)
		echo "--other-store --other-fingerprint --other-person --other-key-file" \
			"--other-recovery-key-file --other-passphrase-file" \
			"--other-passphrase-command $_varve_open"
		;;
	find)
		echo "$_varve_open"
		;;
	check)
		echo "--read-data --no-keys --threads $_varve_open"
		;;
	prune)
		echo "--dry-run --max-dead $_varve_open"
		;;
	grant)
		echo "--person --new-passphrase-file --host --key-file --until" \
			"--as --recovery-key-file $_varve_store" \
			"$_varve_passphrase $_varve_common"
		;;
	dataset)
		echo "--keep-all --default $_varve_keep $_varve_open"
		;;
	expire)
		echo "--dry-run $_varve_keep $_varve_open"
		;;
	hold | release)
		echo "--why $_varve_open"
		;;
	repair)
		echo "--from --dry-run --ssh $_varve_open"
		;;
	replicate)
		echo "--pull --watch --limit --ssh $_varve_open"
		;;
	serve)
		echo "--listen --stdio --clients --init --for --site" \
			"--country --accreditation --until --lock --request $_varve_common"
		;;
	site)
		echo "$_varve_open"
		;;
	promote)
		echo "--dry-run --up-to-readable $_varve_open"
		;;
	settle)
		echo "--dry-run --ssh $_varve_open"
		;;
	demote)
		echo "--dry-run --ssh $_varve_store $_varve_common"
		;;
	status)
		echo "--refusals $_varve_open"
		;;
	esac
}

# What follows an option: a directory, a file, or something only you know.
_varve_value()
{
	case $1 in
	-s | --store | --other-store)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	--*-file | --for | --request)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	-o | -n | --options | --exclude | --exec | --name | --host | --threads | \
		--last | --keep-within | --keep-last | --keep-*ly | --why | --refusals | --dataset | --cache | --until | --as | --*person | \
		--max-dead | --site | --country | --accreditation | --lock | --listen | \
		--clients | --limit | --ssh | --from | \
		--*passphrase-command)
		;;
	*)
		return 1
		;;
	esac
}

_varve()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$_varve_commands --help --version" -- "$word")
	elif [ "$command" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "$_varve_commands" -- \
			"$word")
	elif _varve_value "$before" "$word"; then
		return
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_varve_options "$command")" -- "$word")
	else
		case $command in
		init | mount | serve)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -d -- "$word")
			;;
		dataset)
			[ "$COMP_CWORD" -ne 2 ] || mapfile -t COMPREPLY < <(
				compgen -W 'set show' -- "$word")
			;;
		site)
			if [ "$COMP_CWORD" -eq 2 ]; then
				mapfile -t COMPREPLY < <(compgen -W \
					'add remove allow list' -- "$word")
			else
				compopt -o filenames
				mapfile -t COMPREPLY < <(compgen -f -- "$word")
			fi
			;;
		backup | restore)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			;;
		esac
	fi
}

complete -F _varve varve
