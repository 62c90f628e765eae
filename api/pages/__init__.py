"""What the pages show: records, drafts and photos as texts for people. No HTTP here; ``api.routes.pages`` serves it."""
