"""What makes that which is shipped: the demos, and the banks with their maps."""
