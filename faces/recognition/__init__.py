"""From a photo to embeddings: decode, cut, embed. The path that training and serving share."""
