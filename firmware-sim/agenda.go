package firmwaresim

import "time"

type taskKind uint8

const (
	taskConnect taskKind = iota
	taskSample           // measure, and say it
	taskSay              // hand on a message made before
	taskRestore          // a dropout ends
	taskReport           // a citizen writes
)

type task struct {
	at      time.Duration
	order   int64 // of planning: settles which of two tasks at one time is first
	do      taskKind
	unit    int
	message Message // for taskSay
}

// agenda is a heap of tasks, the earliest first.
type agenda []task

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].order < a[j].order
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(t any)   { *a = append(*a, t.(task)) }
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = task{}
	*a = old[:len(old)-1]
	return last
}
