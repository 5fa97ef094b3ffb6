package devices

// Name is a text that people read, in both languages.
type Name struct {
	VI string `json:"vi" yaml:"vi"`
	EN string `json:"en" yaml:"en"`
}
