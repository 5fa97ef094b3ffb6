package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"haidang/alerts/rules"
	"haidang/devices"
)

// The summaries are whole sentences in each language: nothing is glued, so
// that each can be worded as that language wants it.

func thresholdSummary(rule *rules.Rule, m *devices.Metric, x float64) (vi, en string) {
	nameVI, nameEN, unit := rule.Metric, rule.Metric, ""
	if m != nil {
		nameVI, nameEN, unit = m.NameVI, m.NameEN, " "+m.Unit
	}
	v, limit := num(x), num(rule.Limit())
	if rule.Above != nil {
		return fmt.Sprintf("%s %s%s, trên ngưỡng %s", nameVI, comma(v), unit, comma(limit)),
			fmt.Sprintf("%s %s%s, above the limit of %s", nameEN, v, unit, limit)
	}
	return fmt.Sprintf("%s %s%s, dưới ngưỡng %s", nameVI, comma(v), unit, comma(limit)),
		fmt.Sprintf("%s %s%s, below the limit of %s", nameEN, v, unit, limit)
}

func fenceSummary(rule *rules.Rule) (vi, en string) {
	if rule.On == "enter" {
		return "Đã vào " + rule.Fence, "Entered " + rule.Fence
	}
	return "Đã ra khỏi " + rule.Fence, "Left " + rule.Fence
}

// vietnam is the zone in which people read times.
var vietnam = time.FixedZone("UTC+7", 7*3600)

func absenceSummary(_ *rules.Rule, last time.Time) (vi, en string) {
	at := last.In(vietnam).Format("02/01/2006 15:04")
	return "Không có số liệu từ " + at, "No data since " + at
}

// cohortSummaries are of group outages, by what the group has in common: how
// many of how many, its name, and when the last of them was heard.
var cohortSummaries = map[string][2]string{
	"network": {"%d/%d thiết bị dùng mạng %s cùng mất tín hiệu từ %s", "%d of %d devices on the network %s fell silent together at %s"},
	"gateway": {"%d/%d thiết bị sau cổng kết nối %s cùng mất tín hiệu từ %s", "%d of %d devices behind the gateway %s fell silent together at %s"},
	"vendor":  {"%d/%d thiết bị của nhà cung cấp %s cùng mất tín hiệu từ %s", "%d of %d devices of the vendor %s fell silent together at %s"},
	"cohort":  {"%d/%d thiết bị thuộc nhóm %s cùng mất tín hiệu từ %s", "%d of %d devices of the cohort %s fell silent together at %s"},
	"area":    {"%d/%d thiết bị cùng loại trên địa bàn %s cùng mất tín hiệu từ %s", "%d of %d devices of one type in %s fell silent together at %s"},
}

func cohortSummary(kind, name string, n, of int, at time.Time) (vi, en string) {
	when, text := at.In(vietnam).Format("02/01/2006 15:04"), cohortSummaries[kind]
	return fmt.Sprintf(text[0], n, of, name, when), fmt.Sprintf(text[1], n, of, name, when)
}

func eventSummary(typ string, at time.Time) (vi, en string) {
	when := at.In(vietnam).Format("02/01/2006 15:04")
	return "Thiết bị báo " + typ + " lúc " + when, "The device said " + typ + " at " + when
}

func num(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func comma(s string) string { return strings.ReplaceAll(s, ".", ",") }
