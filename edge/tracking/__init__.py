"""Boxes to identities: association, motion, optical flow, retrace."""
