"""The console of a product's side: an organization's rostering and its people, and the support of a product's customers."""
