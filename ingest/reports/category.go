package reports

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed categories.yaml
var categoriesYAML []byte

// Category is a kind of report and who usually handles it.
type Category struct {
	ID     string `yaml:"id" json:"id"`
	Name   Name   `yaml:"name" json:"name"`
	Agency string `yaml:"agency" json:"agency"`
	// Private: the place of such a report is often somebody's home. It is shown
	// to about a kilometre, without the number of the house.
	Private bool `yaml:"private" json:"private"`
}

// category finds one by id; one that is no longer there is private.
func (s *Service) category(id string) Category {
	for _, c := range s.categories {
		if c.ID == id {
			return c
		}
	}
	return Category{Private: true}
}

func shippedCategories() ([]Category, error) {
	var cs []Category
	if err := yaml.NewDecoder(bytes.NewReader(categoriesYAML), yaml.Strict()).Decode(&cs); err != nil {
		return nil, fmt.Errorf("read report categories: %w", err)
	}
	return cs, nil
}
