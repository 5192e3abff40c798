"""What a video is: a pure language with exact time, compiled to a plan of integers."""
