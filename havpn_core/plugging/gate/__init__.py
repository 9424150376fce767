"""The one gate between the core and plugins: building, calling, deadlines, coercion."""
