"""What timers and the poison queue do: nothing is lost, nothing is kept too long, gauges are current."""
