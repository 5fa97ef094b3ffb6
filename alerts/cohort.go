package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// vietnam is the zone in which people read times.
var vietnam = time.FixedZone("UTC+7", 7*3600)

// cohortSummaries are of group outages, by what the group has in common: how
// many of how many, its name, and when the last of them was heard.
var cohortSummaries = map[string][2]string{
	"network": {"%s thiết bị dùng mạng %s cùng mất tín hiệu từ %s", "%s devices on the network %s fell silent together at %s"},
	"gateway": {"%s thiết bị sau cổng kết nối %s cùng mất tín hiệu từ %s", "%s devices behind the gateway %s fell silent together at %s"},
	"vendor":  {"%s thiết bị của nhà cung cấp %s cùng mất tín hiệu từ %s", "%s devices of the vendor %s fell silent together at %s"},
	"cohort":  {"%s thiết bị thuộc nhóm %s cùng mất tín hiệu từ %s", "%s devices of the cohort %s fell silent together at %s"},
	"area":    {"%s thiết bị cùng loại trên địa bàn %s cùng mất tín hiệu từ %s", "%s devices of one type in %s fell silent together at %s"},
}

// CohortSummary tells of a group outage in both languages: that n devices of a
// group, kind:name, stopped at a time, of so many; 0: of how many is not told.
func CohortSummary(group string, n, of int, at time.Time) (vi, en string) {
	kind, name, _ := strings.Cut(group, ":")
	text, when := cohortSummaries[kind], at.In(vietnam).Format("02/01/2006 15:04")
	if of == 0 {
		return fmt.Sprintf(text[0], fmt.Sprint(n), name, when), fmt.Sprintf(text[1], fmt.Sprint(n), name, when)
	}
	return fmt.Sprintf(text[0], fmt.Sprintf("%d/%d", n, of), name, when), fmt.Sprintf(text[1], fmt.Sprintf("%d of %d", n, of), name, when)
}

// Within is a group outage as who sees only some of its members is told of it:
// of those alone, also in its counts and words. Nil: they see none.
func (a *Alert) Within(sees func(device string) bool) *Alert {
	seen := slices.DeleteFunc(slices.Clone(a.Members), func(id string) bool { return !sees(id) })
	switch len(seen) {
	case 0:
		return nil
	case len(a.Members):
		seen = a.Members
	}
	part := *a
	part.Members, part.Of = seen, 0
	part.Summary, part.SummaryEN = CohortSummary(a.Group, len(seen), 0, a.StartedAt)
	return &part
}
