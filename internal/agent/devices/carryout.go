package devices

// CarryOut makes changes in their order. After one that fails, those that follow it on the
// same behalf, such as a network's, are left for another pass; "" is nobody's, and stops
// nothing. It returns what was made, and why the rest was not, by behalf and in order.
func CarryOut[Change any](changes []Change, behalf func(*Change) string, do func(Change) error) (made []Change, failed map[string]error, all []error) {
	failed = map[string]error{}
	for i := range changes {
		of := behalf(&changes[i])
		if of != "" && failed[of] != nil {
			continue
		}
		if err := do(changes[i]); err != nil {
			all = append(all, err)
			failed[of] = err
			continue
		}
		made = append(made, changes[i])
	}
	return made, failed, all
}
