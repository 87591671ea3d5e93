"""The benches: what is timed, against which floor, and what is asked of it. No part of the product; nothing in it imports this."""
