package devices

import (
	"fmt"
	"strings"
	"unicode"
)

// leastReason is how many letters a reason has that an auditor is to read;
// mostReason how many bytes at most.
const (
	leastReason = 10
	mostReason  = 1000
)

// AuditedReason is a reason that the audit log will have, without what stands
// around it. ask says what is wanted, such as "say why"; an answer that is too
// short, or too long, is a *FieldError of the field "reason".
func AuditedReason(reason, ask string) (string, error) {
	reason = strings.TrimSpace(reason)
	letters := 0
	for _, r := range reason {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	if letters < leastReason || len(reason) > mostReason {
		return "", &FieldError{"reason", fmt.Sprintf("%s, in at least %d letters; the auditor reads it", ask, leastReason)}
	}
	return reason, nil
}
