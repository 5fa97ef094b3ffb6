package indicator

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// columns are the headers that are understood, in English and Vietnamese.
var columns = map[string]string{
	"indicator": "indicator", "chỉ tiêu": "indicator", "mã chỉ tiêu": "indicator", "period": "period", "kỳ": "period", "kỳ báo cáo": "period",
	"unit": "unit", "đơn vị": "unit", "đơn vị tính": "unit", "area": "area", "địa bàn": "area", "mã địa bàn": "area",
	"source": "source", "nguồn": "source", "value": "value", "giá trị": "value",
}

// maxRows bounds one file.
const maxRows = 50_000

// fromCSV reads a file with a header. The separator is the semicolon when the
// header has one; then numbers may have a decimal comma.
func fromCSV(body string) []ingest.Item {
	if !utf8.ValidString(body) {
		return object.One(object.Refuse("encoding_wrong", "the file is not UTF-8; save it as CSV UTF-8"))
	}
	header, _, _ := strings.Cut(body, "\n")
	rd := csv.NewReader(strings.NewReader(body))
	semicolon := strings.Contains(header, ";")
	if semicolon {
		rd.Comma = ';'
	}
	names, err := rd.Read()
	if err != nil {
		return object.One(object.Refuse("csv_invalid", "the header cannot be read: %s", err))
	}
	at := map[string]int{}
	for i, n := range names {
		if c, ok := columns[strings.ToLower(strings.TrimSpace(n))]; ok {
			if _, twice := at[c]; twice {
				return object.One(object.Refuse("columns_wrong", "the column %q is there twice", n))
			}
			at[c] = i
		}
	}
	for _, need := range []string{"indicator", "period", "source", "value"} {
		if _, ok := at[need]; !ok {
			return object.One(object.Refuse("columns_wrong", "the column %q is missing; the header says %.200q", need, header))
		}
	}
	var items []ingest.Item
	for {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line := 0
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			line = parse.Line
		} else if err == nil {
			line, _ = rd.FieldPos(0)
		}
		where := fmt.Sprintf("line %d", line)
		if len(items) == maxRows {
			return object.One(object.Refuse("file_too_long", "the file has more than %d rows", maxRows))
		}
		if err != nil {
			items = append(items, ingest.Item{Refusal: object.Refuse("csv_invalid", "the row cannot be read: %s", errors.Unwrap(err)), Where: where})
			if !errors.Is(err, csv.ErrFieldCount) {
				break // after a stray quote nothing can be trusted
			}
			continue
		}
		cell := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		rec := record{cell("indicator"), cell("period"), cell("unit"), cell("area"), cell("source"), cell("value")}
		if semicolon {
			rec.value = strings.Replace(rec.value, ",", ".", 1)
		} else if strings.Contains(rec.value, ",") {
			items = append(items, ingest.Item{Refusal: object.Refuse("number_invalid", "column value: %.40q has a decimal comma; separate columns by semicolons then", rec.value), Where: where})
			continue
		}
		items = append(items, rec.item(where))
	}
	if len(items) == 0 {
		return object.One(object.Refuse("payload_empty", "the file has a header and no rows"))
	}
	return items
}
