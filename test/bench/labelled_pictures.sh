# Sets of labelled pictures; to be sourced. A set is a folder, whose sub-folders are the labels, or
# FOLDER:COLUMN, where a metadata.csv in the folder has a column "file" and the labels in another one.

# "file <tab> label" of each picture of a set.
list_labelled() {
    local folder=${1%:*} column=${1##*:}
    if [ "$folder" = "$1" ]; then
        (cd "$folder" && find . -type f -size -200k | grep -iE '\.(jpe?g|png|webp)$' |
            awk -F/ -v folder="$folder" 'NF > 2 { print folder substr($0, 2) "\t" $2 }')
    else
        python3 -c '
import csv, sys
for row in csv.DictReader(open(sys.argv[1] + "/metadata.csv")):
    print(sys.argv[1] + "/" + row["file"], row[sys.argv[2]], sep="\t")' "$folder" "$column"
    fi
}
