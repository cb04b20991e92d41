"""What a recipe takes on devices that are not there: memory, time and cost, compiled ahead of time or by formula."""
