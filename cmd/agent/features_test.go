package main

import (
	"testing"

	clientfeatures "k8s.io/client-go/features"
)

func TestTheAgentDoesWithoutWatchLists(t *testing.T) {
	others := clientfeatures.FeatureGates().Enabled(clientfeatures.InformerResourceVersion)
	withoutWatchLists()
	if clientfeatures.FeatureGates().Enabled(clientfeatures.WatchListClient) {
		t.Error("it asks for watch lists")
	}
	if clientfeatures.FeatureGates().Enabled(clientfeatures.InformerResourceVersion) != others {
		t.Error("another feature changed with it")
	}
}
