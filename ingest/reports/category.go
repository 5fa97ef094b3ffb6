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
}

func (s *Service) categoryName(id string) Name {
	for _, c := range s.categories {
		if c.ID == id {
			return c.Name
		}
	}
	return Name{}
}

func shippedCategories() ([]Category, error) {
	var cs []Category
	if err := yaml.NewDecoder(bytes.NewReader(categoriesYAML), yaml.Strict()).Decode(&cs); err != nil {
		return nil, fmt.Errorf("read report categories: %w", err)
	}
	return cs, nil
}
