"""The application: photos become drafts, people make them records, records are served."""
