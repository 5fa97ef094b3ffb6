package indicator

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/unicode/norm"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// columns are the headers that are understood, in English and Vietnamese.
var columns = map[string]string{
	"indicator": "indicator", "chỉ tiêu": "indicator", "mã chỉ tiêu": "indicator", "period": "period", "kỳ": "period", "kỳ báo cáo": "period",
	"unit": "unit", "đơn vị": "unit", "đơn vị tính": "unit", "area": "area", "địa bàn": "area", "mã địa bàn": "area",
	"source": "source", "nguồn": "source", "value": "value", "giá trị": "value",
}

// Bounds of one file. Each row keeps the header with it, for a dead letter.
const (
	maxRows   = 50_000
	maxHeader = 1_000
	maxCells  = 1_000_000
)

// fromCSV reads a file with a header. The separator is the semicolon when the
// header has one; then the decimal mark is the comma, and a point, which could
// part thousands, is refused: 61.234 would be one number or another.
func fromCSV(body string) []ingest.Item {
	if r := object.Encoding([]byte(body)); r != nil {
		r.Message += "; save it as CSV UTF-8"
		return object.One(r)
	}
	header, _, _ := strings.Cut(body, "\n")
	rd := csv.NewReader(strings.NewReader(body))
	semicolon := strings.Contains(header, ";")
	if semicolon {
		rd.Comma = ';'
	}
	if strings.Count(body, string(rd.Comma)) > maxCells {
		return object.One(object.Refuse("file_too_long", "the file has more than %d cells", maxCells))
	}
	names, err := rd.Read()
	if err != nil {
		return object.One(object.Refuse("csv_invalid", "the header cannot be read: %s", err))
	}
	if n := rd.InputOffset(); n > maxHeader {
		return object.One(object.Refuse("columns_wrong", "the header has %d bytes; at most %d are taken", n, maxHeader))
	}
	at := map[string]int{}
	for i, n := range names {
		if c, ok := columns[norm.NFC.String(strings.ToLower(strings.TrimSpace(n)))]; ok {
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
		before := rd.InputOffset()
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
			it := ingest.Item{Refusal: object.Refuse("csv_invalid", "the row cannot be read: %s", errors.Unwrap(err)), Where: where}
			if !errors.Is(err, csv.ErrFieldCount) {
				it.Raw = []byte(header + "\n" + body[min(before, int64(len(body))):])
				items = append(items, it)
				break // after a stray quote nothing can be trusted
			}
			it.Raw = raw(names, row, rd.Comma)
			items = append(items, it)
			continue
		}
		cell := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		rec := record{cell("indicator"), cell("period"), cell("unit"), cell("area"), cell("source"), cell("value")}
		it, r := ingest.Item{Where: where}, decimalMark(&rec.value, semicolon)
		if r != nil {
			it.Refusal = r
		} else {
			it = rec.item(where)
		}
		it.Raw = raw(names, row, rd.Comma)
		items = append(items, it)
	}
	if len(items) == 0 {
		return object.One(object.Refuse("payload_empty", "the file has a header and no rows"))
	}
	return items
}

// decimalMark brings a value's decimal mark, which the separator declares, to a
// point.
func decimalMark(value *string, semicolon bool) *ingest.Refusal {
	switch {
	case semicolon && strings.Contains(*value, "."):
		return object.Refuse("number_invalid", "column value: %.40q has a point; where semicolons part columns the decimal mark is the comma", *value)
	case semicolon:
		*value = strings.Replace(*value, ",", ".", 1)
	case strings.Contains(*value, ","):
		return object.Refuse("number_invalid", "column value: %.40q has a decimal comma; separate columns by semicolons then", *value)
	}
	return nil
}

// raw is one row as a file of its own.
func raw(names, row []string, comma rune) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = comma
	w.WriteAll([][]string{names, row}) // a buffer takes all
	return b.Bytes()
}
