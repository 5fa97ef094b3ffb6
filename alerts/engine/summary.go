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

func eventSummary(typ string, at time.Time) (vi, en string) {
	when := at.In(vietnam).Format("02/01/2006 15:04")
	return "Thiết bị báo " + typ + " lúc " + when, "The device said " + typ + " at " + when
}

func num(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func comma(s string) string { return strings.ReplaceAll(s, ".", ",") }
