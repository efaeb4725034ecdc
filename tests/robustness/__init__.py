"""What happens where files, data or versions are not what they should be."""
