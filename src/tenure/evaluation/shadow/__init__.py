"""What a shadowed candidate would have done, and what it would have been worth: `report.shadow_report`."""
