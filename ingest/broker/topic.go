package broker

import "strings"

// NATS writes an MQTT topic as a subject: levels are parted by ".", a "." of
// the topic becomes "//", and a "/" with an empty level beside it stays, as
// "/." or "./" (docs.nats.io, MQTT, "Topics and Subjects").

// topicOf turns a subject back into the topic.
func topicOf(subject string) string {
	if !strings.ContainsRune(subject, '/') {
		return strings.ReplaceAll(subject, ".", "/")
	}
	var t strings.Builder
	for i := 0; i < len(subject); i++ {
		switch c := subject[i]; {
		case c == '.':
			t.WriteByte('/')
		case c == '/' && i+1 < len(subject) && subject[i+1] == '/':
			t.WriteByte('.')
			i++
		case c == '/' && i+1 < len(subject) && subject[i+1] == '.':
			t.WriteByte('/')
			i++
		case c == '/': // stands for an empty level at the end
		default:
			t.WriteByte(c)
		}
	}
	return t.String()
}

// subjectsOf writes a topic filter with at least one character in each level
// as subjects: "a/#" also takes "a" itself in MQTT, "a.>" does not in NATS.
func subjectsOf(filter string) []string {
	write := strings.NewReplacer("/", ".", ".", "//", "+", "*", "#", ">").Replace
	if parent, ok := strings.CutSuffix(filter, "/#"); ok {
		return []string{write(filter), write(parent)}
	}
	return []string{write(filter)}
}
